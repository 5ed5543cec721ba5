package dev.quern.engine.memory; public final class MemoryDummy { private MemoryDummy() {} }
