"""The engine: rules over events. Pure: no input or output, no clock, no logging."""
