"""The desk: voices that came in, one by one and as a list, for the people who sort and answer them."""
