/**
 * The {@code quern} command: reads options, calls {@code dev.quern.pipeline}, prints what happened.
 *
 * <p>{@code Main} has the commands, one class each ({@code Compress}, {@code Inspect}, {@code
 * Verify}, {@code Doctor}); a command calls one method of {@code Quern}. Options that several
 * commands share are mixins: {@code WorkOptions}, {@code JsonOption}.
 *
 * <p>Results go to standard output, as text ({@code Tables}) or with {@code --json} as one
 * document. Progress, warnings and errors go to standard error: a bar on a terminal, lines
 * elsewhere. Exit codes ({@code ExitCode}) are part of the interface, since scripts depend on them.
 *
 * <p>Nothing is computed here and no checkpoint is opened here.
 */
package dev.quern.cli;
