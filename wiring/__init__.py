"""The parts that ``composition`` puts together: each module constructs one of them."""
