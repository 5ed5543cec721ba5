/**
 * Fails with one sentence when the JDK that the build would use is too old. Maven starts this file
 * with the newest JDK that it found, which may be any version from 11 up, so nothing here may be
 * newer than that.
 */
class RequireJdk {
  public static void main(String[] args) {
    int needed = Integer.parseInt(args[0]);
    int found = Runtime.version().feature();
    if (found < needed) {
      System.err.printf(
          "%nQuern is built with JDK %d, and the newest JDK that Maven finds on this machine is %d"
              + " (%s): install JDK %d from https://adoptium.net or your package manager, or set"
              + " JAVA_HOME to one, and run the same command again.%n%n",
          needed, found, System.getProperty("java.home"), needed);
      System.exit(1);
    }
  }
}
