package org.example;

import org.apache.pulsar.io.core.annotations.FieldDoc;

/** What the connector can be told. */
public class Settings {
    @FieldDoc(required = true, defaultValue = "", help = "Where to")
    private String target;

    @FieldDoc(defaultValue = "5", sensitive = true, help = "How often")
    private int tries;
}
