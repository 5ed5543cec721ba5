/** x */
package dev.quern.engine.memory;
