"""What servers of tests are forked from: everything is imported, and the page's files have been compressed."""

from __future__ import annotations

import gc

import main as main
from handlers.page_files import Page
from handlers.reference_files import Reference

Page()
Reference()
gc.collect()
gc.freeze()  # else each server looks through all of this again when it starts
