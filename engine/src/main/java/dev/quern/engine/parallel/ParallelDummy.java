package dev.quern.engine.parallel; public final class ParallelDummy { private ParallelDummy() {} }
