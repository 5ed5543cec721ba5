package dev.quern.cli;

import java.util.Objects;
import picocli.CommandLine.IVersionProvider;

/**
 * What {@code quern --version} prints: the version in the jar's manifest, and the JDK that runs it.
 */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    String ours =
        Objects.requireNonNullElse(
            Version.class.getPackage().getImplementationVersion(), "(not run from its jar)");
    String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    return new String[] {"quern " + ours, "JDK " + Runtime.version() + ", " + system};
  }
}
