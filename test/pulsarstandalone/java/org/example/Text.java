package org.example;

import java.nio.charset.StandardCharsets;
import org.apache.pulsar.functions.api.SerDe;

/** Serializes texts. */
public class Text implements SerDe<String> {
    @Override
    public String deserialize(byte[] input) {
        return new String(input, StandardCharsets.UTF_8);
    }

    @Override
    public byte[] serialize(String input) {
        return input.getBytes(StandardCharsets.UTF_8);
    }
}
