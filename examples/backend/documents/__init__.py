"""Documents: their records, their upload and what is read from them."""
