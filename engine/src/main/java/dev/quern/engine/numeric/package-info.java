/**
 * The laws: one class per number format, scalar and obvious.
 *
 * <p>A <b>law</b> is the definition of a format in Java. It says which value each code stands for
 * ({@code decode}) and which code each {@code float} becomes ({@code encode}). What the law says is
 * what Quern writes into files; a SIMD kernel is a faster way to get the same bits, and its tests
 * compare it with the law over the whole domain. When the two differ, the kernel is wrong.
 *
 * <table>
 *   <caption>The formats</caption>
 *   <tr><th>class</th><th>bits (sign, exponent, mantissa)</th><th>bias</th><th>largest</th>
 *       <th>beyond the largest</th></tr>
 *   <tr><td>{@link Bf16}</td><td>1, 8, 7</td><td>127</td><td>3.39e38</td><td>infinity</td></tr>
 *   <tr><td>{@link Fp16}</td><td>1, 5, 10</td><td>15</td><td>65504</td><td>infinity</td></tr>
 *   <tr><td>{@link Fp8E4M3}</td><td>1, 4, 3</td><td>7</td><td>448</td><td>NaN</td></tr>
 *   <tr><td>{@link Fp8E5M2}</td><td>1, 5, 2</td><td>15</td><td>57344</td><td>infinity</td></tr>
 *   <tr><td>{@link Fp8E4M3Fnuz}</td><td>1, 4, 3</td><td>8</td><td>240</td><td>NaN</td></tr>
 *   <tr><td>{@link Fp8E5M2Fnuz}</td><td>1, 5, 2</td><td>16</td><td>57344</td><td>NaN</td></tr>
 *   <tr><td>{@link E8M0}</td><td>0, 8, 0</td><td>127</td><td>2^127</td><td>NaN</td></tr>
 *   <tr><td>{@link Fp4E2M1}</td><td>1, 2, 1</td><td>1</td><td>6</td><td>nothing</td></tr>
 * </table>
 *
 * <p>Rules that hold for all of them, {@link E8M0} apart (it has roundings of its own):
 *
 * <ul>
 *   <li>Encoding rounds once, from the exact {@code float}, to the nearest value; a tie goes to the
 *       even code. Subnormals are kept, on both sides.
 *   <li>The 8-bit formats have two encodes. {@code encode} saturates: whatever is too large,
 *       infinity included, becomes the largest finite value of its sign. {@code
 *       encodeNonSaturating} gives the format's infinity, or NaN where it has none.
 *   <li>NaN stays NaN, and decoding always gives a quiet NaN, {@link Bf16} apart, whose decode
 *       moves bits and nothing else. A NaN's sign survives where the format has room for it.
 *   <li>The sign of zero survives, except in the {@code fnuz} formats, which have one zero, and in
 *       {@link Fp4E2M1}, as in the reference. That one saturates only, NaN included.
 * </ul>
 *
 * <p>What may happen here: static methods on primitives, written for the reader first; bit logic
 * with a bit diagram above it; constants. What may not: allocation, loops, tables, state, {@code
 * Math.pow}, anything whose result depends on the CPU or on how far the JIT has got, and the Vector
 * API. Scales, clamping policy and packing of several elements into a word live elsewhere.
 *
 * <p>{@code docs/formats/} has a page per format with its special codes and a worked example.
 */
package dev.quern.engine.numeric;
