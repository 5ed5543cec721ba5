/** x */
package dev.quern.engine.kernel;
