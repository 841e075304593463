"""The equivalences between values that `fcrewardbench.calls.doubt` lets pass, a module each."""
