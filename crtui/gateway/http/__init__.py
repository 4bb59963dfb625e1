"""The relay's own HTTP/1.1 client: bytes as they came, nothing followed, nothing from the environment."""
