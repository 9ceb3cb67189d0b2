"""Graduated autonomy: evidence that people agree, a promotion that they decide about, and the way back to asking."""
