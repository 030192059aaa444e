//! Warps of planes against what they are defined to be, in every format.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking too")]

use viseme_core::Pts;
use viseme_core::geometry::{PixelRect, Vec2};
use viseme_imaging::{
    ChromaSampling, ControlPoint, DisplacementField, Frame, PixelFormat, PlaneSiting, warp_plane,
};

const WIDTH: u32 = 131;
const HEIGHT: u32 = 97;

fn formats() -> impl Iterator<Item = PixelFormat> {
    use ChromaSampling::{Gbr, Gray, Yuv420, Yuv422, Yuv444};
    [(Yuv420, 8), (Yuv420, 10), (Yuv422, 10), (Yuv444, 12), (Gbr, 8), (Gray, 8)]
        .map(|(chroma, bit_depth)| PixelFormat { chroma, bit_depth, alpha: false })
        .into_iter()
}

/// A frame that rises by one per pixel of the frame to the right, in all planes.
fn ramp(format: PixelFormat) -> Frame {
    let mut bytes = Vec::new();
    for plane in 0..format.plane_count() {
        let siting = PlaneSiting::of(format, plane);
        let (columns, rows) = format.plane_size(plane, WIDTH, HEIGHT);
        for _ in 0..rows {
            for x in 0..columns {
                let sample = 20 + siting.frame_from_plane(Vec2::new(x as f32, 0.0)).x as u16;
                bytes.extend(&sample.to_le_bytes()[..if format.bit_depth > 8 { 2 } else { 1 }]);
            }
        }
    }
    Frame::from_bytes(Pts(0), format, WIDTH, HEIGHT, &bytes).unwrap()
}

fn points() -> Vec<ControlPoint> {
    let corners = [(0.0, 0.0), (130.0, 0.0), (0.0, 96.0), (130.0, 96.0)];
    let moved = [(50.0, 40.0, 6.0, -3.0), (70.0, 60.0, -5.5, 4.25)];
    let fixed = corners.map(|(x, y)| ControlPoint::fixed(Vec2::new(x, y)));
    let moved = moved
        .map(|(x, y, dx, dy)| ControlPoint { target: Vec2::new(x, y), source: Vec2::new(x + dx, y + dy) });
    [&fixed[..], &moved].concat()
}

#[test]
fn every_plane_shows_what_the_field_points_at() {
    for format in formats() {
        let frame = ramp(format);
        let region =
            PixelRect { x: 20, y: 10, width: 90, height: 71 }.aligned(format.alignment(), WIDTH, HEIGHT);
        let field = DisplacementField::mls_similarity(&points(), region, 4.0);
        for (index, plane) in frame.planes.iter().enumerate() {
            let warped = warp_plane(plane, format, index, &field, region);
            let siting = PlaneSiting::of(format, index);
            let part = format.plane_region(index, region);
            assert_eq!((warped.width, warped.height), (part.width as usize, part.height as usize));
            for y in 0..part.height {
                for x in 0..part.width {
                    let at = siting.frame_from_plane(Vec2::new((part.x + x) as f32, (part.y + y) as f32));
                    let expected = 20.0 + (at + field.at(at)).x;
                    let actual = warped.at(x.into(), y.into());
                    // The kernel of OpenCV (a = −0.75) bends slopes by up to 0.06 of a step.
                    assert!(
                        (actual - expected).abs() < 0.15,
                        "{format:?} plane {index} at {x},{y}: {actual}, {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_field_that_moves_nothing_returns_the_samples() {
    for format in formats() {
        let frame = ramp(format);
        for region in [PixelRect::of_size(WIDTH, HEIGHT), PixelRect { x: 4, y: 2, width: 8, height: 6 }] {
            let field = DisplacementField::still(region);
            for (index, plane) in frame.planes.iter().enumerate() {
                let part = format.plane_region(index, region);
                let warped = warp_plane(plane, format, index, &field, region);
                for y in 0..part.height {
                    for x in 0..part.width {
                        let sample = plane.value((part.x + x).into(), (part.y + y).into());
                        assert!((warped.at(x.into(), y.into()) - sample).abs() < 1e-3);
                    }
                }
            }
        }
    }
}

#[test]
fn fields_that_point_far_outside_repeat_the_edge() {
    let format = PixelFormat { chroma: ChromaSampling::Gray, bit_depth: 8, alpha: false };
    let frame = ramp(format);
    let region = PixelRect { x: 100, y: 80, width: 31, height: 17 };
    for (dx, dy, expected) in
        [(1e9, 0.0, 150.0), (-1e9, 3.0, 20.0), (40.0, -1e6, 150.0), (f32::NAN, f32::NAN, -1.0)]
    {
        let mut field = DisplacementField::still(region);
        field.dx.fill(dx);
        field.dy.fill(dy);
        let warped = warp_plane(&frame.planes[0], format, 0, &field, region);
        assert!(
            expected < 0.0 || warped.data.iter().all(|value| (value - expected).abs() < 1e-2),
            "{dx} {dy}"
        );
    }
}

#[test]
fn planes_of_a_few_samples_can_be_warped() {
    for (width, height) in [(1, 1), (2, 1), (1, 5), (3, 2)] {
        let bytes = vec![77; PixelFormat::YUV420P.frame_bytes(width, height)];
        let frame = Frame::from_bytes(Pts(0), PixelFormat::YUV420P, width, height, &bytes).unwrap();
        let region = PixelRect::of_size(width, height);
        for shift in [0.0, 0.4, -900.0, 900.0] {
            let mut field = DisplacementField::still(region);
            field.dx.fill(shift);
            field.dy.fill(-shift);
            for (index, plane) in frame.planes.iter().enumerate() {
                let warped = warp_plane(plane, frame.format, index, &field, region);
                assert_eq!(warped.data.len(), plane.samples.len());
                assert!(
                    warped.data.iter().all(|value| (value - 77.0).abs() < 1e-3),
                    "{width}x{height} {shift}"
                );
            }
        }
    }
}

#[test]
fn control_points_are_met_and_one_point_moves_all() {
    let region = PixelRect::of_size(WIDTH, HEIGHT);
    let field = DisplacementField::mls_similarity(&points(), region, 1.0);
    for point in points() {
        let shift = field.at(point.target) - (point.source - point.target);
        assert!(shift.length() < 0.05, "{point:?} is missed by {shift:?}");
    }
    let alone = ControlPoint { target: Vec2::new(9.0, 9.0), source: Vec2::new(11.0, 8.0) };
    let field = DisplacementField::mls_similarity(&[alone], region, 20.0);
    assert!(
        field.dx.iter().all(|dx| (dx - 2.0).abs() < 1e-3)
            && field.dy.iter().all(|dy| (dy + 1.0).abs() < 1e-3)
    );
    assert_eq!(DisplacementField::mls_similarity(&[], region, 20.0), DisplacementField::still(region));
}
