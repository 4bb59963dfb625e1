"""A real llama.cpp server behind the gateway, on a model that is made here."""
