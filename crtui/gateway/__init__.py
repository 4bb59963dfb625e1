"""The local HTTP gateway: agents in, providers out, failover up to the first content byte."""
