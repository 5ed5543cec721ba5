package dev.quern.formats.jinja;

/**
 * What a name or member that does not exist gives: empty when printed or walked through, false when
 * tested, an error when anything else is asked of it.
 *
 * @param name what was looked up
 */
record Undefined(String name) {}
