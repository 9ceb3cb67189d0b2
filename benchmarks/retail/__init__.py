"""A shop's policy as rules: refunds, returns, exchanges, cancellations and changes of address, allowed and denied."""
