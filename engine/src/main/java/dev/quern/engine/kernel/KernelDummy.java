package dev.quern.engine.kernel; public final class KernelDummy { private KernelDummy() {} }
