"""The tables of the configuration file: one file for each, with what its keys may say."""
