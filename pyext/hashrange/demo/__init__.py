"""The tour behind `make demo`: orders in, everything used once, writers killed, all compared."""
