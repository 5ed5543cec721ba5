package dev.quern.formats.jinja;

import java.util.Map;

/** What {@code namespace()} makes: members that {@code set ns.member = value} may change. */
record Namespace(Map<String, Object> members) {}
