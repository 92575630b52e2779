"""Data sets to train on: many hearts, each seen by jittered fans, with the truth beside every picture."""
