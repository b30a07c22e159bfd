"""The sending half of a link: publications within the window, and whether they get through."""
