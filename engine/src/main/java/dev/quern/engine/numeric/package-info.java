/** x */ package dev.quern.engine.numeric;
