# Finds a JDK for the scripts of this project. To be sourced by bash; the script that does so has defined
#   needed       the oldest feature version that will do
#   fail CODE WORDS...   prints a message and leaves
# find_jdk sets java_home, jdk_version and jdk_feature, or calls fail with 69. It looks at
#   QUERN_JAVA_HOME   the JDK to use (else JAVA_HOME, java on the PATH, and the usual folders)
# shellcheck shell=bash

# Reads the version of the JDK in folder $1 from its release file into jdk_version and jdk_feature. Starting a JVM to ask
# would take 50 times longer.
read_version() {
  local line
  jdk_version=
  [ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      JAVA_VERSION=*)
        jdk_version=${line#*\"}
        jdk_version=${jdk_version%\"*}
        jdk_feature=${jdk_version%%[!0-9]*}
        [ -n "$jdk_feature" ]
        return
        ;;
    esac
  done <"$1/release"
  return 1
}

java_home=
newest_seen=0

# Takes folder $1 if it holds a new enough JDK; remembers what else was seen, for the message.
consider() {
  [ -n "$1" ] && read_version "$1" || return 1
  [ "$jdk_feature" -le "$newest_seen" ] || newest_seen=$jdk_feature
  [ "$jdk_feature" -ge "$needed" ] || return 1
  java_home=$1
}

consider_java_on_path() {
  local java link
  java=$(command -v java) || return 1
  while [ -L "$java" ]; do
    link=$(readlink "$java")
    case $link in
      /*) java=$link ;;
      *) java=${java%/*}/$link ;;
    esac
  done
  consider "${java%/bin/java}"
}

find_jdk() {
  local folder fallback=
  if [ -n "${QUERN_JAVA_HOME-}" ]; then
    consider "$QUERN_JAVA_HOME" && return
    fail 69 "QUERN_JAVA_HOME is $QUERN_JAVA_HOME, which is not a JDK $needed or newer; point it to one or unset it."
  fi
  consider "${JAVA_HOME-}" && return
  consider_java_on_path && return
  for folder in /usr/lib/jvm/* /usr/java/* /opt/java/* /opt/jdk* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home "${HOME-}"/Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home \
    "${HOME-}"/.sdkman/candidates/java/* "${HOME-}"/.jdks/* \
    "${HOME-}"/.local/share/mise/installs/java/* "${HOME-}"/.asdf/installs/java/*; do
    # The version that Quern is tested with comes before newer ones.
    if consider "$folder"; then
      [ "$jdk_feature" -eq "$needed" ] && return
      fallback=${fallback:-$folder}
    fi
  done
  [ -n "$fallback" ] && consider "$fallback" && return
  local seen="no JDK"
  [ "$newest_seen" -eq 0 ] || seen="JDK $newest_seen as the newest"
  fail 69 "needs a JDK $needed or newer and found $seen on this machine: install one" \
    "(https://adoptium.net, or your package manager), or set QUERN_JAVA_HOME to its folder."
}
