"""A reply in the form of each wire, whole or as the frames of a stream."""

from __future__ import annotations

import json
from typing import Final, Protocol

from crtui.core.settings import Wire
from crtui.demo.replies import Reply, ToolCall

_ANTHROPIC_ERRORS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Renderer(Protocol):
    """One wire. A stream is ``opening`` (no content yet), then ``content`` at a pace, then ``closing``."""

    def answer(self, reply: Reply) -> dict[str, object]:
        """The reply as one JSON body."""
        ...

    def opening(self, reply: Reply) -> bytes:
        """The frames that come before any content."""
        ...

    def content(self, reply: Reply) -> list[bytes]:
        """The frames that carry content, in the pieces they are sent in."""
        ...

    def closing(self, reply: Reply, with_usage: bool) -> bytes:
        """Usage and the wire's end marker. ``with_usage`` is for wires where the caller asks for it."""
        ...

    def error(self, status: int, message: str) -> dict[str, object]:
        """An error in this wire's envelope."""
        ...


class MessagesRenderer:
    """Anthropic's Messages."""

    def answer(self, reply: Reply) -> dict[str, object]:
        """The reply as one JSON body."""
        blocks: list[dict[str, object]] = [{"type": "text", "text": reply.text}]
        if reply.call:
            blocks.append(_tool_use(reply.call, json.loads(reply.call.arguments)))
        return self._message(reply, blocks, self._stop_reason(reply), reply.output)

    def opening(self, reply: Reply) -> bytes:
        """``message_start`` and a ping."""
        message = self._message(reply, [], None, 1)
        return _event("message_start", message=message) + _event("ping")

    def content(self, reply: Reply) -> list[bytes]:
        """One text block, and a ``tool_use`` block if there is a call."""
        frames = [_delta(0, type="text_delta", text=piece) for piece in reply.pieces]
        empty = {"type": "text", "text": ""}
        frames[0] = _event("content_block_start", index=0, content_block=empty) + frames[0]
        frames[-1] += _event("content_block_stop", index=0)
        if reply.call:
            start = _event("content_block_start", index=1, content_block=_tool_use(reply.call, {}))
            arguments = _delta(1, type="input_json_delta", partial_json=reply.call.arguments)
            frames.append(start + arguments + _event("content_block_stop", index=1))
        return frames

    def closing(self, reply: Reply, with_usage: bool) -> bytes:
        """``message_delta`` with the final usage, then ``message_stop``."""
        delta = {"stop_reason": self._stop_reason(reply), "stop_sequence": None}
        usage = {"output_tokens": reply.output}
        return _event("message_delta", delta=delta, usage=usage) + _event("message_stop")

    def error(self, status: int, message: str) -> dict[str, object]:
        """An error in this wire's envelope."""
        kind = _ANTHROPIC_ERRORS.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}}

    def _message(
        self, reply: Reply, content: list[dict[str, object]], stop_reason: str | None, output: int
    ) -> dict[str, object]:
        usage = {
            "input_tokens": reply.input,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": reply.cached,
            "output_tokens": output,
        }
        return {
            "id": f"msg_{reply.id}",
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": usage,
        }

    def _stop_reason(self, reply: Reply) -> str:
        return "tool_use" if reply.call else "end_turn"


class ChatRenderer:
    """OpenAI's Chat Completions."""

    def answer(self, reply: Reply) -> dict[str, object]:
        """The reply as one JSON body."""
        message: dict[str, object] = {"role": "assistant", "content": reply.text}
        if reply.call:
            message["tool_calls"] = [_function_call(reply.call)]
        choice: dict[str, object] = {
            "index": 0,
            "message": message,
            "finish_reason": self._finish_reason(reply),
        }
        return self._object(reply, "chat.completion", [choice]) | {"usage": self._usage(reply)}

    def opening(self, reply: Reply) -> bytes:
        """The delta that tells only the role."""
        return self._chunk(reply, {"role": "assistant", "content": ""})

    def content(self, reply: Reply) -> list[bytes]:
        """Content deltas, and one with the tool call if there is one."""
        frames = [self._chunk(reply, {"content": piece}) for piece in reply.pieces]
        if reply.call:
            frames.append(self._chunk(reply, {"tool_calls": [{"index": 0} | _function_call(reply.call)]}))
        return frames

    def closing(self, reply: Reply, with_usage: bool) -> bytes:
        """The finish reason, the usage chunk if asked for, and ``[DONE]``."""
        end = self._chunk(reply, {}, self._finish_reason(reply))
        if with_usage:
            end += _data(self._object(reply, "chat.completion.chunk", []) | {"usage": self._usage(reply)})
        return end + b"data: [DONE]\n\n"

    def error(self, status: int, message: str) -> dict[str, object]:
        """An error in this wire's envelope."""
        kind = "invalid_request_error" if status < 429 else "server_error"
        return {"error": {"message": message, "type": kind, "code": status}}

    def _chunk(self, reply: Reply, delta: dict[str, object], finish_reason: str | None = None) -> bytes:
        choice: dict[str, object] = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _data(self._object(reply, "chat.completion.chunk", [choice]))

    def _object(self, reply: Reply, kind: str, choices: list[dict[str, object]]) -> dict[str, object]:
        return {
            "id": f"chatcmpl-{reply.id}",
            "object": kind,
            "created": reply.created,
            "model": reply.model,
            "choices": choices,
        }

    def _usage(self, reply: Reply) -> dict[str, object]:
        prompt = reply.input + reply.cached
        return {
            "prompt_tokens": prompt,
            "completion_tokens": reply.output,
            "total_tokens": prompt + reply.output,
            "prompt_tokens_details": {"cached_tokens": reply.cached},
        }

    def _finish_reason(self, reply: Reply) -> str:
        return "tool_calls" if reply.call else "stop"


RENDERERS: Final[dict[Wire, Renderer]] = {"messages": MessagesRenderer(), "chat": ChatRenderer()}


def _event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\n".encode() + _data({"type": kind, **fields})


def _delta(index: int, **delta: object) -> bytes:
    return _event("content_block_delta", index=index, delta=delta)


def _data(value: dict[str, object]) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def _tool_use(call: ToolCall, arguments: object) -> dict[str, object]:
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


def _function_call(call: ToolCall) -> dict[str, object]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
