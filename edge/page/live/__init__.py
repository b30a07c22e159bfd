"""Both directions of an open page: news as server-sent events, and the buttons' commands."""
