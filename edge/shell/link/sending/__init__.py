"""The sending half of a link: publications within the in-flight window, and verification of their delivery."""
