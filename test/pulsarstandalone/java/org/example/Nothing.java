package org.example;

/** No function, sink or source at all. */
public class Nothing {
}
