package dev.quern.formats.compressedtensors;

import static dev.quern.formats.compressedtensors.ConfigErrors.invalid;

import dev.quern.formats.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** {@link QuantizationArgs} as the twelve keys of config.json. */
final class ArgsJson {
  private static final Set<String> KEYS =
      Set.of(
          "actorder",
          "block_structure",
          "dynamic",
          "group_size",
          "num_bits",
          "observer",
          "observer_kwargs",
          "scale_dtype",
          "strategy",
          "symmetric",
          "type",
          "zp_dtype");

  private ArgsJson() {}

  static Json.Obj write(QuantizationArgs args) {
    LinkedHashMap<String, Json> members = new LinkedHashMap<>();
    members.put("actorder", nameOrNull(args.actorder()));
    members.put(
        "block_structure", args.blockStructure().map(ArgsJson::block).orElse(Json.Null.NULL));
    members.put("dynamic", dynamic(args.dynamic()));
    members.put(
        "group_size",
        args.groupSize().isPresent() ? Json.of(args.groupSize().getAsInt()) : Json.Null.NULL);
    members.put("num_bits", Json.of(args.numBits()));
    members.put("observer", textOrNull(args.observer()));
    members.put("observer_kwargs", args.observerKwargs());
    members.put("scale_dtype", textOrNull(args.scaleDtype().map(TorchDType::name)));
    members.put("strategy", Json.of(args.strategy().configName()));
    members.put("symmetric", Json.of(args.symmetric()));
    members.put("type", Json.of(args.type().configName()));
    // A symmetric scheme stores no zero points, so the reference does not write their dtype either.
    members.put(
        "zp_dtype", args.symmetric() ? Json.Null.NULL : Json.of(TorchDType.name(args.zpDtype())));
    return Json.Obj.of(members);
  }

  static QuantizationArgs read(Json.Obj json) {
    ConfigReader in = new ConfigReader(json);
    in.allowOnly(KEYS);
    QuantizationArgs.Builder builder = QuantizationArgs.builder();
    in.integer("num_bits").ifPresent(builder::numBits);
    in.constant("type", QuantizationType.class).ifPresent(builder::type);
    json.bool("symmetric").ifPresent(builder::symmetric);
    in.integer("group_size").ifPresent(builder::groupSize);
    in.constant("strategy", QuantizationStrategy.class).ifPresent(builder::strategy);
    readBlock(in, json).ifPresent(block -> builder.blockStructure(block.rows(), block.columns()));
    readDynamic(in, json).ifPresent(builder::dynamic);
    readActorder(in, json).ifPresent(builder::actorder);
    json.string("scale_dtype")
        .ifPresent(name -> builder.scaleDtype(TorchDType.parse(in.where("scale_dtype"), name)));
    json.string("zp_dtype")
        .ifPresent(name -> builder.zpDtype(TorchDType.parse(in.where("zp_dtype"), name)));
    json.string("observer").ifPresent(builder::observer);
    json.object("observer_kwargs").ifPresent(builder::observerKwargs);
    return in.located(builder::build);
  }

  private static Json block(BlockStructure block) {
    return Json.of(List.of(Json.of(block.rows()), Json.of(block.columns())));
  }

  private static Json dynamic(DynamicType dynamic) {
    return dynamic == DynamicType.LOCAL
        ? Json.of(dynamic.configName())
        : Json.of(dynamic == DynamicType.TRUE);
  }

  static Json nameOrNull(Optional<? extends ConfigName> constant) {
    return textOrNull(constant.map(ConfigName::configName));
  }

  static Json textOrNull(Optional<String> text) {
    return text.<Json>map(Json::of).orElse(Json.Null.NULL);
  }

  private static Optional<BlockStructure> readBlock(ConfigReader in, Json.Obj json) {
    Optional<Json> value = json.find("block_structure");
    if (value.isPresent() && value.get() instanceof Json.Str text) {
      return Optional.of(BlockStructure.parse(in.where("block_structure"), text.value()));
    }
    return json.array("block_structure").map(items -> readBlock(in, items));
  }

  private static BlockStructure readBlock(ConfigReader in, List<Json> items) {
    List<Integer> sides = new ArrayList<>();
    for (Json item : items) {
      OptionalInt side = item instanceof Json.Num number ? intValue(number) : OptionalInt.empty();
      if (side.isPresent()) {
        sides.add(side.getAsInt());
      }
    }
    if (items.size() != 2 || sides.size() != 2) {
      throw invalid(
          in.where("block_structure"),
          "expected two whole numbers, found " + Json.of(items),
          "Write for example [128, 128]");
    }
    return in.located(() -> new BlockStructure(sides.get(0), sides.get(1)));
  }

  private static OptionalInt intValue(Json.Num number) {
    return number.asLong().stream()
        .filter(value -> value == (int) value)
        .mapToInt(value -> (int) value)
        .findFirst();
  }

  private static Optional<DynamicType> readDynamic(ConfigReader in, Json.Obj json) {
    Optional<Json> value = json.find("dynamic");
    if (value.isPresent() && value.get() instanceof Json.Str text) {
      return Optional.of(
          ConfigReader.constantNamed(in.where("dynamic"), text.value(), DynamicType.class));
    }
    return json.bool("dynamic").map(yes -> yes ? DynamicType.TRUE : DynamicType.FALSE);
  }

  /** True is short for group order; false and null are no order. */
  private static Optional<ActivationOrdering> readActorder(ConfigReader in, Json.Obj json) {
    Optional<Json> value = json.find("actorder");
    if (value.isPresent() && value.get() instanceof Json.Bool reorder) {
      return reorder.value() ? Optional.of(ActivationOrdering.GROUP) : Optional.empty();
    }
    return in.constant("actorder", ActivationOrdering.class);
  }
}
