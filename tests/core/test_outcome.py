"""What the end of an attempt means: the table of statuses and words."""

import pytest

from crtui.core import outcome
from crtui.core.outcome import classify

CASES = [
    # status, error kind, body, class, next provider?
    (400, None, "bad field", "client", False),
    (405, None, "", "client", False),
    (411, None, "", "client", False),
    (413, None, "", "client", False),
    (415, None, "", "client", False),
    (422, None, "", "client", False),
    (501, None, "", "client", False),
    (404, None, "model 'x' not found", "model", True),
    (400, None, "prompt is too long: 9 tokens > 5 maximum", "context", True),
    (400, None, '{"error":{"code":"context_length_exceeded"}}', "context", True),
    (400, None, '{"error":{"type":"exceed_context_size_error"}}', "context", True),
    (400, None, "greater than the context length (n_keep: 13055>= n_ctx: 4096)", "context", True),
    (500, None, "the model is loaded with context length of only 4096 tokens", "context", True),
    (502, None, "This model's maximum context length is 4096 tokens", "context", True),
    (401, None, "", "auth", True),
    (403, None, "", "auth", True),
    (402, None, "", "credit", True),
    (429, None, '{"error":{"code":"insufficient_quota"}}', "credit", True),
    (429, None, "slow down", "limit", True),
    (529, None, "", "overload", True),
    (500, None, '{"error":{"type":"overloaded_error"}}', "overload", True),
    (200, "protocol", '{"error":{"type":"overloaded_error"}}', "overload", True),
    *[(status, None, "", "fault", True) for status in (408, 425, 500, 502, 503, 504, 520, 523, 527)],
    *[(None, kind, "", "fault", True) for kind in ("connect", "timeout", "reset", "protocol")],
    (200, "reset", "", "fault", True),
    (200, None, "", "fault", True),
    (None, None, "", "fault", True),
    (None, "client", "", "gone", False),
    (200, "client", "", "gone", False),
]


# whose words, status, body
OVERFLOWS = [
    ("openai", 400, "Your input exceeds the context window of this model. Please adjust your input"),
    (
        "gemini",
        400,
        "The input token count (1250000) exceeds the maximum number of tokens allowed (1048576).",
    ),
    ("vertex", 400, "the input token count is 1200000 but model only supports up to 1048576."),
    ("xai", 400, "This model's maximum prompt length is 131072 but the request contains 537812 tokens."),
    ("copilot", 400, "prompt token count of 140000 exceeds the limit of 128000"),
    ("kimi", 400, "Invalid request: Your request exceeded model token limit: 262144 (requested: 274519)"),
    ("minimax", 400, "invalid params, context window exceeds limit (2013)"),
    ("z.ai", 400, "Prompt exceeds max length"),
    ("qwen", 400, "Range of input length should be [1, 129024]"),
    ("together", 422, "The input (9000 tokens) is longer than the model's context length (8193 tokens)."),
    ("tgi", 422, "`inputs` tokens + `max_new_tokens` must be <= 8193. Given: 9000 `inputs` tokens"),
    ("groq", 400, "Please reduce the length of the messages or completion."),
    ("poolside", 400, "Input length 140000 exceeds the maximum allowed input length of 131072 tokens."),
    ("mistral", 400, "Prompt contains 65673 tokens, too large for model with 32768 maximum context length"),
    ("fireworks", 400, "The prompt is too long: 150000, model maximum context length: 131071"),
    ("anthropic", 413, "Prompt is too long"),
    ("anthropic", 400, "input length and `max_tokens` exceed context limit: 199900 + 20000 > 200000"),
    ("bedrock", 400, "Input is too long for requested model."),
    ("ollama", 400, "prompt too long; exceeded max context length by 1200 tokens"),
    ("ollama", 400, "the input length exceeds the context length"),
    ("lm studio", 400, "tokens to keep from the initial prompt is greater than the context length."),
    ("llama.cpp", 500, "Context size has been exceeded."),
    ("vllm", 400, "The decoder prompt (length 50000) is longer than the maximum model length of 32768."),
]
MISSING_MODELS = [
    ("openrouter", 400, "m is not a valid model ID"),
    ("openai", 400, '{"error":{"message":"x","code":"model_not_found"}}'),
    ("openai", 403, 'Project `p` does not have access to model `m`","code":"model_not_found"'),
    ("openai", 400, "The requested model 'gpt-9' does not exist."),
    ("deepseek", 400, "Model Not Exist"),
    ("copilot", 400, '{"error":{"message":"x","code":"model_not_supported"}}'),
    ("chatgpt", 400, "The 'm' model is not supported when using Codex with a ChatGPT account."),
    ("groq", 400, '{"error":{"code":"model_decommissioned"}}'),
    ("litellm", 400, "Invalid model name passed in model=m. Call `/v1/models` to view available models"),
    ("mistral", 400, '{"message":"Invalid model: m","type":"invalid_model","code":"1500"}'),
    ("z.ai", 400, "Unknown Model, please check the model code."),
    ("lm studio", 400, r'{"error":"Model \"qwen/q3:4b\" not found"}'),
    ("lm studio", 400, "Invalid model identifier. Please specify a valid downloaded model"),
    ("xai", 422, "The model grok-9 does not exist or your team does not have access to it."),
]
OUT_OF_CREDIT = [
    ("anthropic", 400, "You have reached your specified API usage limits. You will regain access on"),
    ("anthropic", 400, "You have reached your specified workspace API usage limits."),
    ("anthropic", 400, "Your credit balance is too low to access the Anthropic API."),
    ("openai", 400, '{"error":{"code":"billing_hard_limit_reached"}}'),
    (
        "openrouter",
        403,
        "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys",
    ),
    ("z.ai", 429, "Insufficient balance or no resource package. Please recharge."),
    ("siliconflow", 403, "Sorry, your account balance is insufficient"),
    ("kimi", 429, '{"error":{"type":"exceeded_current_quota_error"}}'),
]
GROQ = (
    "Request too large for model `m` in organization `org_x` service tier `on_demand` on tokens per minute "
    "(TPM): Limit 12000, Requested 14137, please reduce your message size and try again."
)
OPENAI = (
    "Request too large for gpt-5 in organization org-x on tokens per min (TPM): Limit 30000, Requested 40000."
)
UNFIT = [
    ("groq", 413, GROQ),
    ("openai", 429, OPENAI),
    ("openai", 400, '{"error":{"code":"invalid_encrypted_content"}}'),
    ("openai", 400, "The encrypted content gAAA could not be verified."),
    ("openai", 400, '{"error":{"code":"previous_response_not_found"}}'),
    ("anthropic", 400, "messages.1.content.0: Invalid `signature` in `thinking` block"),
    ("anthropic", 400, "Expected `thinking` or `redacted_thinking`, but found `tool_use`."),
    ("gemini", 400, "Function call is missing a thought_signature in functionCall parts."),
    ("deepseek", 400, "The `reasoning_content` in the thinking mode must be passed back to the API."),
]
CALLERS = [
    ("openrouter", 403, '{"error":{"metadata":{"reasons":["violence"],"flagged_input":"kill"}}}'),
    ("azure", 403, '{"error":{"code":"content_filter"}}'),
    ("openai", 400, "Unknown parameter: 'context_management'"),
    ("openai", 400, "Unsupported value: 'temperature' does not support 0 with this model."),
    ("groq", 400, "Rate limit reached: too many tokens, please reduce the length of the messages"),
]


@pytest.mark.parametrize(
    ("whose", "status", "body", "expected"),
    [
        *[(*case, outcome.CONTEXT) for case in OVERFLOWS],
        *[(*case, outcome.MODEL) for case in MISSING_MODELS],
        *[(*case, outcome.CREDIT) for case in OUT_OF_CREDIT],
        *[(*case, outcome.UNFIT) for case in UNFIT],
        *[(*case, outcome.CLIENT) for case in CALLERS],
        ("openai", 429, "Rate limit reached on tokens per min (TPM). Please try again in 5s.", outcome.LIMIT),
        ("bedrock", 500, "Too many requests: reduce the length of the messages", outcome.FAULT),
    ],
)
@pytest.mark.fault("S11", "S15", "S16")
def test_words_say_what_a_status_does_not(whose, status, body, expected):
    assert classify(status, None, body) == expected, whose


@pytest.mark.parametrize(("status", "kind", "body", "expected", "next_provider"), CASES)
@pytest.mark.fault("S15")
def test_each_ending_has_its_class(status, kind, body, expected, next_provider):
    told = classify(status, kind, body)

    assert told.kind == expected
    assert told.next_provider is next_provider


def test_only_faults_and_overloads_count_against_health():
    counted = {case[3] for case in CASES if classify(*case[:3]).failed}

    assert counted == {"fault", "overload"}


def test_answers_that_are_the_callers_own_affair_pass_through():
    through = {case[3] for case in CASES if classify(*case[:3]).passes_through}

    assert through == {"client", "model", "context"}
