"""What coding agents leave on this machine: their logs, and the limits of their subscriptions."""
