"""How well detection works: public benchmarks, alarm budget, long faults."""
