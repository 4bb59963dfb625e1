"""An agent's growing conversation, in the form of the wire it speaks."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from crtui.core.settings import Wire
from crtui.wire.jsonview import as_list, as_object

Json = dict[str, object]

SYSTEM: Final = (
    "You are a coding agent in a terminal. Work in small steps, read before you write, run the tests "
    "after each change, and say what you did in one or two sentences. "
) * 12
_TOOLS: Final = (("read_file", ("path",)), ("search", ("pattern", "path")), ("run", ("command",)))
MAX_TOKENS: Final = 4_096


@dataclass(slots=True)
class Heard:
    """What an answer has said so far. ``whole`` once the wire's end marker, or a complete body, was read."""

    text: str = ""
    call_id: str = ""
    call_name: str = ""
    call_arguments: str = ""
    whole: bool = False


class Dialogue(ABC):
    """One conversation. A subclass knows one wire's requests and answers."""

    wire: Wire
    path: str

    def __init__(self) -> None:
        self._messages: list[Json] = []
        self._chars = 0

    @property
    def chars(self) -> int:
        """How long the conversation has grown."""
        return self._chars

    def ask(self, text: str) -> None:
        """Add what the user says."""
        self._add({"role": "user", "content": text})

    def compact(self, summary: str) -> None:
        """Start afresh from a summary, as agents do when their context fills up."""
        self._messages.clear()
        self._chars = 0
        self.ask(summary)

    @abstractmethod
    def body(self, model: str, *, stream: bool, tools: bool) -> Json:
        """The request that asks for the next answer."""

    @abstractmethod
    def hear(self, heard: Heard, event: Json) -> None:
        """Take one event of a streamed answer."""

    @abstractmethod
    def hear_answer(self, answer: Json) -> Heard:
        """Take a complete answer."""

    @abstractmethod
    def take(self, heard: Heard, tool_result: str) -> None:
        """Add the model's turn, and the result of the tool it called if it called one."""

    def _add(self, *messages: Json) -> None:
        self._messages.extend(messages)
        self._chars += sum(len(json.dumps(message)) for message in messages)


class MessagesDialogue(Dialogue):
    """Anthropic's Messages."""

    wire = "messages"
    path = "/v1/messages"

    def body(self, model: str, *, stream: bool, tools: bool) -> Json:
        """The request that asks for the next answer."""
        body: Json = {"model": model, "max_tokens": MAX_TOKENS, "system": SYSTEM, "messages": self._messages}
        if tools:
            body["tools"] = [{"name": name, "input_schema": _schema(fields)} for name, fields in _TOOLS]
        return body | {"stream": stream}

    def hear(self, heard: Heard, event: Json) -> None:
        """Take one event of a streamed answer."""
        if event.get("type") == "message_stop":
            heard.whole = True
        block = as_object(event.get("content_block"))
        if block.get("type") == "tool_use":
            heard.call_id, heard.call_name = str(block.get("id")), str(block.get("name"))
        delta = as_object(event.get("delta"))
        heard.text += str(delta.get("text", ""))
        heard.call_arguments += str(delta.get("partial_json", ""))

    def hear_answer(self, answer: Json) -> Heard:
        """Take a complete answer."""
        heard = Heard(whole=answer.get("type") == "message")
        for block in _objects(answer.get("content")):
            heard.text += str(block.get("text", ""))
            if block.get("type") == "tool_use":
                heard.call_id, heard.call_name = str(block.get("id")), str(block.get("name"))
                heard.call_arguments = json.dumps(block.get("input"))
        return heard

    def take(self, heard: Heard, tool_result: str) -> None:
        """Add the model's turn, and the result of the tool it called if it called one."""
        content: list[Json] = [{"type": "text", "text": heard.text}]
        if not heard.call_id:
            self._add({"role": "assistant", "content": content})
            return
        arguments = json.loads(heard.call_arguments)
        content.append({"type": "tool_use", "id": heard.call_id, "name": heard.call_name, "input": arguments})
        result = {"type": "tool_result", "tool_use_id": heard.call_id, "content": tool_result}
        self._add({"role": "assistant", "content": content}, {"role": "user", "content": [result]})


class ChatDialogue(Dialogue):
    """OpenAI's Chat Completions."""

    wire = "chat"
    path = "/v1/chat/completions"

    def body(self, model: str, *, stream: bool, tools: bool) -> Json:
        """The request that asks for the next answer."""
        messages = [{"role": "system", "content": SYSTEM}, *self._messages]
        body: Json = {"model": model, "max_tokens": MAX_TOKENS, "messages": messages}
        if tools:
            functions = ({"name": name, "parameters": _schema(fields)} for name, fields in _TOOLS)
            body["tools"] = [{"type": "function", "function": function} for function in functions]
        if stream:
            body["stream_options"] = {"include_usage": True}
        return body | {"stream": stream}

    def hear(self, heard: Heard, event: Json) -> None:
        """Take one event of a streamed answer."""
        for choice in _objects(event.get("choices")):
            self._hear_message(heard, as_object(choice.get("delta")))
            if choice.get("finish_reason"):
                heard.whole = True

    def hear_answer(self, answer: Json) -> Heard:
        """Take a complete answer."""
        heard = Heard(whole=answer.get("object") == "chat.completion")
        for choice in _objects(answer.get("choices")):
            self._hear_message(heard, as_object(choice.get("message")))
        return heard

    def take(self, heard: Heard, tool_result: str) -> None:
        """Add the model's turn, and the result of the tool it called if it called one."""
        turn: Json = {"role": "assistant", "content": heard.text}
        if not heard.call_id:
            self._add(turn)
            return
        function = {"name": heard.call_name, "arguments": heard.call_arguments}
        turn["tool_calls"] = [{"id": heard.call_id, "type": "function", "function": function}]
        self._add(turn, {"role": "tool", "tool_call_id": heard.call_id, "content": tool_result})

    def _hear_message(self, heard: Heard, message: Json) -> None:
        heard.text += str(message.get("content") or "")
        for call in _objects(message.get("tool_calls")):
            function = as_object(call.get("function"))
            heard.call_id = heard.call_id or str(call.get("id"))
            heard.call_name += str(function.get("name", ""))
            heard.call_arguments += str(function.get("arguments", ""))


def _schema(fields: tuple[str, ...]) -> Json:
    properties = {field: {"type": "string"} for field in fields}
    return {"type": "object", "properties": properties, "required": list(fields)}


def _objects(value: object) -> list[Json]:
    return [as_object(entry) for entry in as_list(value)]
