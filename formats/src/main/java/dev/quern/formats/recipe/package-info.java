/**
 * Recipes: which modules get which scheme.
 *
 * <p>A {@link dev.quern.formats.recipe.Recipe} has modifiers, and a modifier has rules: a scheme of
 * compressed-tensors with its targets. {@link dev.quern.formats.recipe.RecipeMatcher} finds the
 * rule of a module and refuses two rules that contradict each other. {@link
 * dev.quern.formats.recipe.RecipeReader} and {@link dev.quern.formats.recipe.RecipeWriter} know the
 * files of llm-compressor.
 *
 * <p>What a scheme means for the bytes is known elsewhere: in {@code formats.compressedtensors} and
 * in the engine.
 */
package dev.quern.formats.recipe;
