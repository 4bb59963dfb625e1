"""The demo world: simulated providers on real loopback sockets, and agents that talk to the gateway.

Nothing of the product knows this package. It stands outside as the real world would: HTTP
servers on one side of the gateway, HTTP clients on the other.
"""
