/**
 * The {@code quern} command: reads options, calls {@code dev.quern.pipeline}, prints what happened.
 *
 * <p>Nothing is computed here and no checkpoint is opened here. Exit codes are part of the
 * interface: scripts depend on them.
 */
package dev.quern.cli;
