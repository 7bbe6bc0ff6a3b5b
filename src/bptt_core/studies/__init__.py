"""Studies that take longer than a chapter may: what was run, and the stored result that is read.

long_gradient  does a network need the long gradient to learn a long lag?
lag_tasks      its tasks, each with and without examples of a short lag
"""
