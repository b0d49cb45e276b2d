"""Japanese text to tokens, masks, labels, vectors and topics. Pure functions; only ``service`` and ``train`` talk to tables."""
