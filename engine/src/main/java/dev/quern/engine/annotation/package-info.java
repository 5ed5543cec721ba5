/**
 * Annotations for the build's own checks. Every room may use them; they know no room and do nothing
 * at run time.
 */
package dev.quern.engine.annotation;
