/**
 * Folders as archives, and back: the same bytes for the same files, on any machine and at any time.
 *
 * <p>Entries are sorted by name, and carry no time, owner or permission of this machine. Reading
 * trusts nothing: names that lead out of the folder, links, and files twice are refused.
 */
package dev.quern.formats.archive;
