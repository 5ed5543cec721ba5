/** x */
package dev.quern.engine.parallel;
