package dev.quern.formats.compressedtensors;

import dev.quern.engine.numeric.DType;
import dev.quern.formats.CheckpointException;
import dev.quern.formats.json.Json;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How one kind of tensor (weights, inputs, outputs, KV cache) is quantized: the twelve keys of
 * compressed-tensors' {@code QuantizationArgs}.
 *
 * <p>A value of this type is complete and consistent: what the user left out has been inferred by
 * {@link Builder#build()}, and the constructor refuses what contradicts itself.
 *
 * @param numBits 4 or 8 for floats, 1 to 32 for integers
 * @param type integer or float
 * @param symmetric whether zero is always stored as 0, without a zero point
 * @param groupSize columns that share a scale; {@code -1} or empty where the strategy is not
 *     grouped
 * @param strategy which elements share a scale
 * @param blockStructure tile size, present if and only if the strategy is {@code block}
 * @param dynamic when scales are found
 * @param actorder GPTQ's column order, empty for none
 * @param scaleDtype dtype of stored scales, empty for the model's own dtype
 * @param zpDtype dtype of zero points in memory; written as null when symmetric
 * @param observer name of the statistic that sets the range, empty when nothing is observed
 * @param observerKwargs the observer's own settings, usually empty
 */
public record QuantizationArgs(
    int numBits,
    QuantizationType type,
    boolean symmetric,
    OptionalInt groupSize,
    QuantizationStrategy strategy,
    Optional<BlockStructure> blockStructure,
    DynamicType dynamic,
    Optional<ActivationOrdering> actorder,
    Optional<DType> scaleDtype,
    DType zpDtype,
    Optional<String> observer,
    Json.Obj observerKwargs) {

  /**
   * @throws CheckpointException when the values contradict each other
   */
  public QuantizationArgs {
    Objects.requireNonNull(zpDtype, "zpDtype");
    Objects.requireNonNull(observerKwargs, "observerKwargs");
    ArgsRules.check(numBits, type, groupSize, strategy, blockStructure, dynamic, actorder);
  }

  /** Starts from the defaults: 8-bit symmetric static integers. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Starts from these values; a changed key is checked against the others, nothing is inferred
   * anew.
   */
  public Builder toBuilder() {
    Builder builder = new Builder();
    builder.numBits = numBits;
    builder.type = type;
    builder.symmetric = symmetric;
    builder.groupSize = groupSize.isPresent() ? groupSize.getAsInt() : null;
    builder.strategy = strategy;
    builder.blockStructure = blockStructure.orElse(null);
    builder.dynamic = dynamic;
    builder.actorder = actorder.orElse(null);
    builder.scaleDtype = scaleDtype.orElse(null);
    builder.zpDtype = zpDtype;
    builder.observer = observer.orElse(null);
    builder.observerKwargs = observerKwargs;
    return builder;
  }

  /** All twelve keys, sorted, as compressed-tensors writes them. */
  public Json.Obj toJson() {
    return ArgsJson.write(this);
  }

  /**
   * Reads the keys that are there and infers the others.
   *
   * @throws CheckpointException for an unknown key, a value of the wrong kind, or a contradiction
   */
  public static QuantizationArgs fromJson(Json.Obj json) {
    return ArgsJson.read(json);
  }

  /** Whether scales are stored with the checkpoint for the whole tensor or its groups. */
  public boolean isStatic() {
    return dynamic == DynamicType.FALSE;
  }

  /** Whether this is the ordering that stores {@code weight_g_idx}. */
  public boolean hasGroupIndex() {
    return actorder.isPresent() && actorder.get().canonical() == ActivationOrdering.GROUP;
  }

  /**
   * Whether these are microscaling (MX) values: 4- or 8-bit floats, groups of 32, E8M0 scales in
   * bytes.
   */
  public boolean isMicroscaling() {
    return type == QuantizationType.FLOAT
        && groupSize.equals(OptionalInt.of(32))
        && scaleDtype.equals(Optional.of(DType.U8));
  }

  /** Whether the format leaves the size of its groups to the user, unlike NVFP4 and MX formats. */
  public boolean hasFreeGroupSize() {
    return strategy == QuantizationStrategy.GROUP && !isMicroscaling();
  }

  /** Collects keys; whatever is not set is inferred by {@link #build()}. */
  public static final class Builder {
    private int numBits = 8;
    private QuantizationType type = QuantizationType.INT;
    private boolean symmetric = true;
    private Integer groupSize;
    private QuantizationStrategy strategy;
    private BlockStructure blockStructure;
    private DynamicType dynamic = DynamicType.FALSE;
    private ActivationOrdering actorder;
    private DType scaleDtype;
    private DType zpDtype;
    private String observer;
    private Json.Obj observerKwargs = Json.Obj.empty();

    private Builder() {}

    /** Bits of one value; 8 when not set. */
    public Builder numBits(int numBits) {
      this.numBits = numBits;
      return this;
    }

    /** Integer or float; integer when not set. */
    public Builder type(QuantizationType type) {
      this.type = Objects.requireNonNull(type);
      return this;
    }

    /** Whether there is no zero point; true when not set. */
    public Builder symmetric(boolean symmetric) {
      this.symmetric = symmetric;
      return this;
    }

    /** A positive size means {@code group}, -1 means {@code channel}, when no strategy is set. */
    public Builder groupSize(int groupSize) {
      this.groupSize = groupSize;
      return this;
    }

    /** Which elements share a scale. */
    public Builder strategy(QuantizationStrategy strategy) {
      this.strategy = Objects.requireNonNull(strategy);
      return this;
    }

    /** Tile size in rows and columns, for strategy {@code block}. */
    public Builder blockStructure(int rows, int columns) {
      this.blockStructure = new BlockStructure(rows, columns);
      return this;
    }

    /** When scales are found; before the model runs when not set. */
    public Builder dynamic(DynamicType dynamic) {
      this.dynamic = Objects.requireNonNull(dynamic);
      return this;
    }

    /** {@code null} for no ordering. */
    public Builder actorder(ActivationOrdering actorder) {
      this.actorder = actorder;
      return this;
    }

    /** Dtype of stored scales; {@code null} for the model's own. */
    public Builder scaleDtype(DType scaleDtype) {
      this.scaleDtype = scaleDtype;
      return this;
    }

    /** Dtype of zero points; {@code null} to infer it from type and bits. */
    public Builder zpDtype(DType zpDtype) {
      this.zpDtype = zpDtype;
      return this;
    }

    /** Name of the statistic that sets the range; {@code null} to infer it. */
    public Builder observer(String observer) {
      this.observer = observer;
      return this;
    }

    /** The observer's own settings. */
    public Builder observerKwargs(Json.Obj observerKwargs) {
      this.observerKwargs = Objects.requireNonNull(observerKwargs);
      return this;
    }

    /**
     * Infers strategy, observer and zero-point dtype where they were not set.
     *
     * @throws CheckpointException when the values contradict each other
     */
    public QuantizationArgs build() {
      QuantizationStrategy inferred = ArgsRules.strategy(strategy, groupSize);
      return new QuantizationArgs(
          numBits,
          type,
          symmetric,
          groupSize == null ? OptionalInt.empty() : OptionalInt.of(groupSize),
          inferred,
          Optional.ofNullable(blockStructure),
          dynamic,
          Optional.ofNullable(actorder),
          Optional.ofNullable(scaleDtype),
          zpDtype != null ? zpDtype : ArgsRules.zeroPointDtype(type, numBits),
          ArgsRules.observer(observer, dynamic),
          observerKwargs);
    }
  }
}
