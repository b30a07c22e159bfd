"""Evaluation of detection: public benchmarks, alarm budget, long faults."""
