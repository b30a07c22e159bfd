"""Reports: the results of a run over recorded readings, judged and drawn.

Pure, except for its own style sheet and script, which it reads from its directory: input and output are passed in.

labels      what people say was wrong, from four kinds of files
judging     incidents held against labels
decimation  long series made short, so that spikes survive
budgets     how many incidents other false-alarm budgets would have cost
recording   an observer that gathers what a report shows
backtest    runs side by side, and their summary
page, png   the report as one HTML file, or as pictures
score_rows  one row a reading
"""
