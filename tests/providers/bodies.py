"""The answers of free endpoints as the servers' own documentation gives them, shortened, by kind and age."""

from __future__ import annotations

import json

WALL = 1_795_165_200_000
"""Friday 2026-11-20, 09:00 UTC."""
MIDNIGHT = 1_795_219_200_000

GIB = 2**30


def body(value: object) -> bytes:
    return json.dumps(value).encode()


QWEN_ON_DISK = {
    "name": "qwen3:4b",
    "model": "qwen3:4b",
    "modified_at": "2026-05-01T10:00:00.123456789-07:00",
    "size": 2_620_788_260,
    "digest": "e55aed6fe643f9368b2f48f8aaa56ec787b75765da69f794c0a0c23bfe7c64b2",
    "details": {
        "parent_model": "",
        "format": "gguf",
        "family": "qwen3",
        "families": ["qwen3"],
        "parameter_size": "4.0B",
        "quantization_level": "Q4_K_M",
    },
}
CLOUD_STUB = {
    "name": "gpt-oss:120b-cloud",
    "model": "gpt-oss:120b-cloud",
    "remote_model": "gpt-oss:120b",
    "remote_host": "https://ollama.com:443",
    "size": 384,
    "digest": "569662207105",
    "capabilities": ["completion", "tools", "thinking"],
}
OLLAMA_TAGS_OLD = {"models": [QWEN_ON_DISK]}
OLLAMA_TAGS_NEW = {
    "models": [QWEN_ON_DISK | {"capabilities": ["completion", "tools", "thinking"]}, CLOUD_STUB]
}
OLLAMA_PS_OLD = {
    "models": [
        {
            "name": "qwen3:4b",
            "model": "qwen3:4b",
            "size": 6_654_289_920,
            "digest": QWEN_ON_DISK["digest"],
            "expires_at": "2026-11-20T09:05:00.83753-07:00",
            "size_vram": 5_333_539_264,
        }
    ]
}
OLLAMA_PS_NEW = {"models": [OLLAMA_PS_OLD["models"][0] | {"context_length": 4096}]}
OLLAMA_SHOW_OLD = {
    "license": "MIT",
    "modelfile": "# Modelfile",
    "parameters": 'num_ctx                        8192\nstop                           "<|im_end|>"',
    "template": "{{ .Prompt }}",
    "details": QWEN_ON_DISK["details"],
    "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40_960},
}
OLLAMA_SHOW_NEW = {
    "parameters": "temperature 0.7",
    "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40_960},
    "capabilities": ["completion", "tools", "thinking", "insert"],
}

OPENAI_LIST = {
    "object": "list",
    "data": [{"id": "gpt-5.6", "object": "model", "created": 1_686_935_002, "owned_by": "openai"}],
}

ANTHROPIC_OLD = {
    "data": [
        {
            "type": "model",
            "id": "claude-haiku-4-5",
            "display_name": "Haiku",
            "created_at": "2025-10-01T00:00:00Z",
        }
    ],
    "has_more": False,
    "first_id": "claude-haiku-4-5",
    "last_id": "claude-haiku-4-5",
}
ANTHROPIC_NEW = {
    "data": [
        {
            "type": "model",
            "id": "claude-sonnet-4-6",
            "display_name": "Sonnet",
            "created_at": "2026-02-17T00:00:00Z",
            "max_input_tokens": 200_000,
            "max_tokens": 64_000,
            "capabilities": {
                "batch": {"supported": True},
                "image_input": {"supported": True},
                "pdf_input": {"supported": True},
                "thinking": {"supported": True, "types": {"adaptive": {"supported": True}}},
            },
        }
    ],
    "has_more": False,
}

OPENROUTER_MODELS = {
    "data": [
        {
            "id": "qwen/qwen3-coder:free",
            "canonical_slug": "qwen/qwen3-coder-480b",
            "name": "Qwen3 Coder",
            "context_length": 262_144,
            "architecture": {
                "modality": "text+image->text",
                "input_modalities": ["text", "image"],
                "output_modalities": ["text"],
                "tokenizer": "Qwen3",
            },
            "pricing": {"prompt": "0", "completion": "0"},
            "top_provider": {"context_length": 131_072, "max_completion_tokens": 65_536},
            "per_request_limits": None,
            "supported_parameters": ["max_tokens", "reasoning", "tools"],
        }
    ]
}
OPENROUTER_KEY = {
    "data": {
        "label": "sk-or-v1-abc...123",
        "limit": 100,
        "limit_remaining": 74.5,
        "limit_reset": "daily",
        "usage": 25.5,
        "is_free_tier": False,
        "rate_limit": {"requests": -1, "interval": "10s", "note": "deprecated"},
    }
}

GEMINI = {
    "models": [
        {
            "name": "models/gemini-3-pro",
            "version": "3.0",
            "displayName": "Gemini 3 Pro",
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
            "thinking": True,
        },
        {
            "name": "models/gemini-embedding-001",
            "inputTokenLimit": 2048,
            "outputTokenLimit": 1,
            "supportedGenerationMethods": ["embedContent"],
        },
    ]
}

LMSTUDIO_LIST = {"object": "list", "data": [{"id": "qwen/qwen3.5-9b", "object": "model"}, {"id": "nomic"}]}
LMSTUDIO_V0 = {
    "object": "list",
    "data": [
        {
            "id": "qwen/qwen3.5-9b",
            "object": "model",
            "type": "vlm",
            "publisher": "qwen",
            "arch": "qwen35",
            "compatibility_type": "gguf",
            "quantization": "Q4_K_M",
            "state": "loaded",
            "max_context_length": 262_144,
            "loaded_context_length": 4096,
        },
        {"id": "nomic", "type": "embeddings", "state": "not-loaded", "max_context_length": 2048},
    ],
}
LMSTUDIO_V1 = {
    "models": [
        {
            "type": "llm",
            "publisher": "qwen",
            "key": "qwen/qwen3.5-9b",
            "display_name": "Qwen3.5 9B",
            "architecture": "qwen35",
            "quantization": {"name": "Q4_K_M", "bits_per_weight": 4},
            "size_bytes": 6_548_927_017,
            "params_string": "9B",
            "loaded_instances": [
                {"id": "qwen/qwen3.5-9b", "config": {"context_length": 4096, "flash_attention": True}}
            ],
            "max_context_length": 262_144,
            "format": "gguf",
            "capabilities": {"vision": True, "trained_for_tool_use": True},
        },
        {
            "type": "embedding",
            "key": "nomic",
            "size_bytes": 84_106_624,
            "loaded_instances": [],
            "max_context_length": 2048,
            "format": "gguf",
        },
    ]
}
LMSTUDIO_UNEXPECTED = {"error": "Unexpected endpoint or method. (GET /api/v1/models)"}

LLAMACPP_LIST_OLD = {
    "object": "list",
    "data": [
        {
            "id": "/models/qwen3-4b.gguf",
            "object": "model",
            "owned_by": "llamacpp",
            "meta": {
                "n_vocab": 151_936,
                "n_ctx_train": 40_960,
                "n_embd": 2560,
                "n_params": 1,
                "size": 2_497_280_256,
            },
        }
    ],
}
LLAMACPP_PROPS_OLD = {
    "default_generation_settings": {"n_ctx": 8192, "params": {}},
    "total_slots": 2,
    "model_path": "/models/qwen3-4b.gguf",
    "chat_template": "...",
    "build_info": "b5200-abcdef0",
}
LLAMACPP_SLOTS_OLD = [
    {"id": 0, "id_task": 7, "n_ctx": 8192, "is_processing": True, "next_token": {"n_decoded": 4}},
    {"id": 1, "id_task": -1, "n_ctx": 8192, "is_processing": False, "next_token": {"n_decoded": 0}},
]
LLAMACPP_METRICS_OLD = b"""# HELP llamacpp:kv_cache_usage_ratio KV-cache usage. 1 means 100 percent usage.
# TYPE llamacpp:kv_cache_usage_ratio gauge
llamacpp:kv_cache_usage_ratio 0.25
llamacpp:requests_processing 1
llamacpp:requests_deferred 3
"""
LLAMACPP_LIST_NEW = {
    "models": [{"name": "tiny", "model": "tiny", "capabilities": ["completion"]}],
    "object": "list",
    "data": [
        {
            "id": "tiny",
            "aliases": ["tiny"],
            "object": "model",
            "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
            "owned_by": "llamacpp",
            "meta": {"n_ctx": 2048, "n_ctx_train": 65_536, "n_params": 10_912, "size": 43_648},
        }
    ],
}
LLAMACPP_PROPS_NEW = {
    "default_generation_settings": {"params": {}, "n_ctx": 2048},
    "total_slots": 2,
    "model_alias": "tiny",
    "model_path": "/tmp/tiny.gguf",
    "modalities": {"vision": True, "video": False, "audio": False},
    "chat_template_caps": {"supports_tools": True, "supports_parallel_tool_calls": False},
    "build_info": "b9100-1234567",
    "is_sleeping": False,
}
LLAMACPP_SLOTS_NEW = [
    {"id": 0, "n_ctx": 2048, "speculative": False, "is_processing": False, "n_prompt_tokens": 1506},
    {
        "id": 1,
        "n_ctx": 2048,
        "is_processing": True,
        "id_task": 1,
        "n_prompt_tokens": 1024,
        "next_token": [{"has_next_token": True, "n_remain": 612, "n_decoded": 888}],
    },
]
LLAMACPP_LOADING = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}
LLAMACPP_UNSUPPORTED = {"error": {"code": 501, "message": "This server does not support metrics endpoint."}}

VLLM_LIST = {
    "object": "list",
    "data": [
        {
            "id": "Qwen/Qwen3-8B",
            "object": "model",
            "created": 1_763_000_000,
            "owned_by": "vllm",
            "root": "Qwen/Qwen3-8B",
            "parent": None,
            "max_model_len": 32_768,
            "permission": [],
        }
    ],
}
VLLM_METRICS_NEW = b"""# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="Qwen/Qwen3-8B"} 2.0
vllm:num_requests_running{engine="1",model_name="Qwen/Qwen3-8B"} 3.0
vllm:num_requests_waiting{engine="0",model_name="Qwen/Qwen3-8B"} 1.0
vllm:num_requests_waiting{engine="1",model_name="Qwen/Qwen3-8B"} 0.0
vllm:kv_cache_usage_perc{engine="0",model_name="Qwen/Qwen3-8B"} 0.5
vllm:kv_cache_usage_perc{engine="1",model_name="Qwen/Qwen3-8B"} 0.8125
vllm:cache_config_info{block_size="16",num_gpu_blocks="None"} 1.0
"""
VLLM_METRICS_OLD = b"""vllm:num_requests_running{model_name="q"} 1.0
vllm:num_requests_swapped{model_name="q"} 0.0
vllm:num_requests_waiting{model_name="q"} 0.0
vllm:gpu_cache_usage_perc{model_name="q"} 0.125
vllm:cpu_cache_usage_perc{model_name="q"} 0.0
"""
