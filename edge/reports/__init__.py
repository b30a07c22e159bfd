"""Reports: the results of a run over recorded readings, judged and drawn.

Pure, except for its own style sheet and script, which it reads from its directory: input and output are passed in.

labels      known faults, from four kinds of files
judging     incidents compared with labels
recording   an observer that collects the data of a report: series shortened without losing spikes, other budgets
backtest    runs side by side, and their summary
page, png   the report as one HTML file, or as pictures
score_rows  one row per reading
"""
