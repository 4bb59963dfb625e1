"""The routing core: a pure, synchronous fold over inputs, with time as an argument.

Nothing in this package reads a clock, touches a file or a socket, starts a thread or
imports anything of crtui outside it. That is what lets one piece of code serve the live
gateway, the replay, the tests and the forecast.
"""
