"""One kind of provider each: where it is, how it is paid for, what its free endpoints say."""
